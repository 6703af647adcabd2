// Sends the form's operation to the gateway that served the page, and shows the answer as it came.
'use strict';

const form = document.getElementById('request');
const answer = document.getElementById('answer');
const status = document.getElementById('status');

function readObject(id) {
  const text = document.getElementById(id).value.trim();
  if (text === '') return {};
  const value = JSON.parse(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Error(`${id} must be a JSON object`);
  }
  return value;
}

async function send() {
  const query = document.getElementById('query').value;
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { ...readObject('headers'), 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ query, variables: readObject('variables') }),
  });
  status.textContent = `HTTP ${response.status}`;
  const text = await response.text();
  try {
    answer.textContent = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    answer.textContent = text;
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  status.textContent = 'waiting …';
  answer.textContent = '';
  try {
    await send();
  } catch (error) {
    status.textContent = 'not sent';
    answer.textContent = String(error);
  }
});
