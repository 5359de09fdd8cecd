const element = (id) => document.getElementById(id);
const bidder = element('bidder');
/** lot → what the stream told of it, and its card. */
const lots = new Map();

function cardOf(name) {
  const card = element('lot').content.cloneNode(true).querySelector('article');
  const part = (selector) => card.querySelector(selector);
  const input = part('input');
  input.id = `bid-${name}`;
  part('form label').htmlFor = input.id;
  part('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    await bid(name);
  });
  element('lots').append(card);
  element('empty').hidden = true;
  return { card, part, input, lot: null, bid: null, ends: null };
}

function lotOf(name) {
  const known = lots.get(name) ?? cardOf(name);
  lots.set(name, known);
  return known;
}

/** Ten seconds after the end bids from everywhere have arrived. */
const settleMs = 10_000;

function timeLeft(ms) {
  if (ms <= -settleMs) return 'closed';
  if (ms <= 0) return 'closing…';
  const seconds = Math.ceil(ms / 1000);
  if (seconds >= 172_800) return `${Math.floor(seconds / 86_400)} days`;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
}

const put = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

function show(name) {
  const { part, input, card, lot, bid, ends } = lotOf(name);
  card.hidden = lot === null;
  if (lot === null) return;
  const highest = bid?.value ?? null;
  const leftMs = (ends?.value ?? 0) - Date.now();
  put(part('h2'), lot.title);
  put(part('.highest'), highest === null ? `none yet, from ${lot.reserve}` : `${highest}, ${bid.with.bidder}`);
  put(part('.left'), timeLeft(leftMs));
  put(part('form label'), `Your bid for: ${lot.title}`);
  input.min = String(Math.max(lot.reserve, (highest ?? 0) + 1));
  part('form').hidden = leftMs <= 0;
}

function say(name, kind, text) {
  const result = lotOf(name).part('.result');
  result.className = `result ${kind}`;
  result.textContent = text;
}

async function bid(name) {
  const { input, part } = lotOf(name);
  if (bidder.value.trim() === '') return bidder.focus();
  localStorage.setItem('bidder', bidder.value.trim());
  const button = part('button');
  button.disabled = true;
  try {
    const response = await fetch(`/lots/${name}/bids`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ bidder: bidder.value.trim(), amount: Number(input.value) }),
    });
    const body = await response.json().catch(() => ({}));
    if (response.ok) say(name, 'good', `Your bid of ${body.amount} counts.`);
    else say(name, 'bad', body.title ?? `The server answered ${response.status}.`);
  } catch {
    say(name, 'bad', 'The server can’t be reached. Try again.');
  } finally {
    button.disabled = false;
  }
}

const stream = new EventSource('/events');
for (const variable of ['lot', 'bid', 'ends']) {
  stream.addEventListener(variable, (event) => {
    const { key, value } = JSON.parse(event.data);
    lotOf(key)[variable] = value;
    show(key);
  });
}
stream.onopen = () => put(element('connection'), '');
stream.onerror = () => put(element('connection'), 'Connecting again…');
bidder.value = localStorage.getItem('bidder') ?? '';
setInterval(() => [...lots.keys()].forEach(show), 1000);
