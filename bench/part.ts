/** One part of the benchmark, in a process of its own, so that no part finds another's garbage or its compiled code. */
import { type PartName, parts, type Size } from './parts.ts';

const [name, size] = process.argv.slice(2);
const result = await parts[name as PartName](size as Size);
process.send?.(result, () => process.disconnect());
