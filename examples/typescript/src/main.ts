/** A walk through it: `GATEWAY_URL=http://127.0.0.1:8000 npm start`, before a running `gateway dev`. */
import { WebSocket } from 'ws';
import { changes, type Form, progress, type Saved, save, told } from './contacts.js';
import { Gateway, GatewayError } from './gateway.js';

const gateway = new Gateway({
  url: `${process.env.GATEWAY_URL ?? 'http://127.0.0.1:8000'}/graphql`,
  token: process.env.GATEWAY_TOKEN,
  webSocket: WebSocket,
});

function show(title: string, saved: Saved): void {
  console.log(`${title}: ${saved.status}${saved.replayed ? ', nothing was sent' : ''}`);
  for (const result of saved.results) console.log(`  ${told(result)}`);
  for (const { code, field, message, suggestions } of saved.errors) {
    console.log(`  ${code} at ${field.join('.')}: ${message} [${suggestions.join(', ')}]`);
  }
}

const externalId = 'E-4001';
const shown: Form = {
  email: 'lise@example.com',
  firstName: 'Lise',
  lastName: 'Meitner',
  phone: '+43 1 4277 51101',
};
show('A new person', await save(gateway, { externalId, ...shown, recordTypeName: 'Employee' }));

// Absent keeps (email, firstName), null clears (phone), a value sets (lastName).
const input = { externalId, ...changes(shown, { ...shown, lastName: 'Meitner-Hahn', phone: '' }) };
console.log(`The form's changes: ${JSON.stringify(input)}`);
const [key, written] = [crypto.randomUUID(), input];
show('Changed', await save(gateway, written, { key }));
show('The button pressed twice', await save(gateway, written, { key }));

show('A typo', await save(gateway, { externalId, groupsName: ['Newsleter'] }));

const stored = await save(gateway, { externalId, groupsName: ['Newsletter'] }, { durable: true });
show('Stored', stored);
if (!stored.operation) throw new Error('a durable write has an operation');
for await (const { status, items } of progress(gateway, stored.operation.id)) {
  const steps = items.edges.flatMap(({ node }) => node.steps);
  const outcomes = steps.map(({ backend, result }) => `${backend} ${result.outcome}`);
  console.log(`  ${status}: ${outcomes.join(', ')}`);
}

try {
  for await (const _ of progress(gateway, 'no-such-operation')) throw new Error('it has none');
} catch (error) {
  if (!(error instanceof GatewayError)) throw error;
  console.log(`Refused: ${error.message}`);
}
