const element = (id) => document.getElementById(id);
const [token, list, result] = ['token', 'flags', 'result'].map(element);
/** name → its row. */
const rows = new Map();

function say(text, bad = false) {
  result.className = bad ? 'result bad' : 'result';
  result.textContent = text;
}

async function change(name, value) {
  sessionStorage.setItem('token', token.value);
  try {
    const response = await fetch(`/flags/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token.value}` },
      body: JSON.stringify(value),
    });
    if (response.ok) return say(`${name} is ${value.on ? `on for ${value.percent} %` : 'off'}.`);
    const { title, detail } = await response.json().catch(() => ({}));
    say(
      response.status === 401
        ? 'That token may not change flags.'
        : (detail ?? title ?? `The server answered ${response.status}.`),
      true,
    );
  } catch {
    say('The server can’t be reached. Try again.', true);
  }
  // What the stream told last is what holds.
  const row = rows.get(name);
  if (row !== undefined) show(row, row.value);
}

function cell(child) {
  const td = document.createElement('td');
  td.append(child);
  return td;
}

function rowOf(name) {
  const known = rows.get(name);
  if (known !== undefined) return known;
  const line = document.createElement('tr');
  const heading = document.createElement('th');
  heading.scope = 'row';
  heading.textContent = name;
  const on = Object.assign(document.createElement('input'), { type: 'checkbox', ariaLabel: `${name} is on` });
  on.setAttribute('role', 'switch');
  const percent = Object.assign(document.createElement('input'), {
    type: 'number',
    min: 0,
    max: 100,
    ariaLabel: `${name}: percent of the users`,
  });
  const send = () => change(name, { on: on.checked, percent: Math.min(100, Math.max(0, Math.round(Number(percent.value)))) });
  on.addEventListener('change', send);
  percent.addEventListener('change', send);
  line.append(heading, cell(on), cell(percent));
  const row = { name, line, on, percent, value: null };
  rows.set(name, row);
  const next = [...rows.values()].filter((each) => each.name > name).sort((a, b) => (a.name < b.name ? -1 : 1))[0];
  list.insertBefore(line, next?.line ?? null);
  return row;
}

function show(row, value) {
  row.value = value;
  row.on.checked = value.on;
  row.percent.value = value.percent;
}

function told(name, value) {
  if (value === null) {
    rows.get(name)?.line.remove();
    rows.delete(name);
  } else show(rowOf(name), value);
  element('empty').hidden = rows.size > 0;
}

element('add').addEventListener('submit', async (event) => {
  event.preventDefault();
  const name = element('name').value;
  element('name').value = '';
  await change(name, { on: false, percent: 100 });
});
element('access').addEventListener('submit', (event) => event.preventDefault());

const stream = new EventSource('/events');
stream.addEventListener('flag', (event) => {
  const { key, value } = JSON.parse(event.data);
  told(key, value);
});
stream.onopen = () => {
  element('connection').textContent = '';
};
stream.onerror = () => {
  element('connection').textContent = 'Connecting again…';
};
token.value = sessionStorage.getItem('token') ?? '';
