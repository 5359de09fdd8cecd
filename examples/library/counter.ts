// Page views, counted at every location, added up everywhere. Data: ./data
import { openReplica } from 'cffbrw/node';

const replica = await openReplica({ variables: { views: { strategy: 'sum-increments', keyed: true } } });
const home = replica.variable('views').key('/');
await Promise.all(Array.from({ length: 1000 }, () => home.add(1)));
console.log(await home.get()); // → 1000
console.log(await replica.keys('views', { limit: 10 })); // → [ '/' ]
await replica.close();
