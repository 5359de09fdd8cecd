import { Wheel } from './vendor/spin-wheel.js';

const element = (id) => document.getElementById(id);
const [form, user, button, result, connection] = ['form', 'user', 'spin', 'result', 'connection'].map(element);
const still = window.matchMedia('(prefers-reduced-motion: reduce)');

const voucher = { label: '20 % off', backgroundColor: '#f3a712', labelColor: '#14213d' };
const nothing = { label: 'Next time', backgroundColor: '#e4572e', labelColor: '#ffffff' };
const items = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? voucher : nothing));

const wheel = new Wheel(element('wheel'), {
  items,
  isInteractive: false,
  borderWidth: 6,
  borderColor: '#14213d',
  lineWidth: 2,
  lineColor: '#ffffff',
  itemLabelFont: 'system-ui, sans-serif',
  itemLabelFontSizeMax: 44,
  itemLabelRadius: 0.9,
  itemLabelRadiusMax: 0.3,
  pointerAngle: 0,
});

/** The server has decided before the wheel stops: it is turned to what was decided. */
function turnTo(won) {
  const wanted = items.map((item, index) => (item === (won ? voucher : nothing) ? index : -1)).filter((index) => index >= 0);
  const index = wanted[Math.floor(Math.random() * wanted.length)];
  const durationMs = still.matches ? 0 : 2600;
  wheel.spinToItem(index, durationMs, false, still.matches ? 0 : 4, 1, (n) => 1 - (1 - n) ** 3);
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

function show(kind, headline, detail = []) {
  result.className = `result ${kind}`;
  const strong = document.createElement('strong');
  strong.textContent = headline;
  result.replaceChildren(strong, ...detail);
}

function showAnswer({ won, code, again, reason }) {
  if (!won) {
    show(
      'lost',
      reason === 'exhausted' ? 'Today’s vouchers are gone' : reason ? 'No voucher to be had just now' : 'Not this time',
      [reason === 'exhausted' ? 'There are ten new ones tomorrow.' : 'Spin again, it costs nothing.'],
    );
    return;
  }
  const shown = document.createElement('code');
  shown.textContent = code;
  show('won', again ? 'You have won already' : 'You have won 20 % off!', ['Your code: ', shown]);
}

async function spin() {
  const response = await fetch('/wheel/spin', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: user.value.trim() }),
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail ?? body.title ?? `The server answered ${response.status}.`);
  return body;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (button.disabled) return;
  if (user.value.trim() === '') {
    user.focus();
    return;
  }
  button.disabled = true;
  localStorage.setItem('wheel-user', user.value.trim());
  show('', 'The wheel is turning…');
  try {
    const answer = await spin();
    await turnTo(answer.won);
    showAnswer(answer);
  } catch (error) {
    show('failed', 'That did not work', [error instanceof TypeError ? 'The server can’t be reached. Try again.' : error.message]);
  } finally {
    button.disabled = false;
    result.focus({ preventScroll: true });
  }
});

/** Vouchers left and spins, live. The browser connects again by itself when the stream ends. */
function listen() {
  const stream = new EventSource('/events');
  const on = (name, set) => stream.addEventListener(name, (event) => set(JSON.parse(event.data).value));
  on('vouchers', (value) => {
    element('left').textContent = value;
  });
  on('spins', (value) => {
    element('spins').textContent = value;
  });
  on('banner', (value) => {
    element('title').textContent = value.open ? value.title : `${value.title} (paused)`;
  });
  stream.onopen = () => {
    connection.textContent = '';
  };
  stream.onerror = () => {
    connection.textContent = 'Connecting again…';
  };
}

user.value = localStorage.getItem('wheel-user') ?? '';
listen();
