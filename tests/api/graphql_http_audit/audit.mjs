// Prints what auditServer finds at the address given, as JSON: [{id, name, status, reason}].
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
const told = results.map(({ id, name, status, reason }) => ({ id, name, status, reason }));
process.stdout.write(JSON.stringify(told));
