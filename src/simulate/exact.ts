/**
 * exp and log from the four operations alone. JavaScript lets every engine round its own in its own way; the four operations it does not, so that
 * a seed gives the same delays on every machine.
 */

const ln2 = Math.LN2;

/** e to the x, to about 15 digits. */
export function exp(x: number): number {
  const twos = Math.round(x / ln2);
  const rest = x - twos * ln2;
  let term = 1;
  let sum = 1;
  for (let n = 1; n < 20; n += 1) {
    term *= rest / n;
    sum += term;
  }
  return scaled(sum, twos);
}

/** The natural logarithm of a positive number, to about 15 digits. */
export function log(x: number): number {
  let twos = 0;
  let rest = x;
  for (; rest > 1.5; twos += 1) rest /= 2;
  for (; rest < 0.75; twos -= 1) rest *= 2;
  // ln r = 2 artanh((r − 1) / (r + 1))
  const part = (rest - 1) / (rest + 1);
  let power = part;
  let sum = 0;
  for (let n = 1; n < 40; n += 2) {
    sum += power / n;
    power *= part * part;
  }
  return 2 * sum + twos * ln2;
}

function scaled(value: number, twos: number): number {
  let result = value;
  for (let n = 0; n < twos; n += 1) result *= 2;
  for (let n = 0; n > twos; n -= 1) result /= 2;
  return result;
}
