// GraphQL Yoga with fetch and DataLoader, as its documentation has it.

import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { BASIC, Everbridge, Ivvy, SENDGRID_KEY, SendGrid, signed } from './backends.mjs';
import { Names } from './names.mjs';
import { resolvers, typeDefs } from './schema.mjs';

const { UPSTREAM } = process.env;

function over(prefix, headersOf) {
  return async (method, path, json) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const headers = { 'Content-Type': 'application/json', ...headersOf(path, body) };
    const answer = await fetch(UPSTREAM + prefix + path, { method, headers, body });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  };
}

const ivvy = over('/ivvy', signed);
const everbridge = over('/everbridge/rest', () => ({ Authorization: BASIC }));
const sendgrid = over('/sendgrid', () => ({ Authorization: SENDGRID_KEY }));

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: () => {
    const names = new Names();
    return {
      backends: {
        IVVY: new Ivvy(ivvy, names),
        EVERBRIDGE: new Everbridge(everbridge, names),
        SENDGRID: new SendGrid(sendgrid, names),
      },
    };
  },
});

createServer(yoga).listen(Number(process.env.PORT), '127.0.0.1');
