// Objects that several places edit at once: fields merge, and whoever looks is told of changes. Data: ./data
import { openReplica } from 'cffbrw/node';

const replica = await openReplica({ variables: { profile: { strategy: 'merge-objects', keyed: true } } });
const ann = await replica.variable('profile').key('ann').open();
const stop = ann.watch((change) => console.log('watched', JSON.stringify(change.value)));
await Promise.all([ann.merge({ name: 'Ann' }), ann.merge({ city: 'Hanoi' })]);
// → watched {"city":"Hanoi","name":"Ann"}
console.log(ann.value?.city); // → Hanoi
stop();
await replica.close();
