// Apollo Server 5 with undici's own client: what a team writes that has looked at its CPU.

import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { Pool } from 'undici';
import { BASIC, Everbridge, Ivvy, SENDGRID_KEY, SendGrid, signed } from './backends.mjs';
import { Names } from './names.mjs';
import { resolvers, typeDefs } from './schema.mjs';

const pool = new Pool(process.env.UPSTREAM, { connections: 128 });

function over(prefix, headersOf) {
  return async (method, path, json) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const headers = { accept: 'application/json', ...headersOf(path, body) };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const answer = await pool.request({ method, path: prefix + path, headers, body });
    const said = await answer.body.json();
    if (answer.statusCode >= 300) throw new Error(`HTTP ${answer.statusCode}`);
    return said;
  };
}

const ivvy = over('/ivvy', (path, body) => {
  const { 'Content-Type': _same, ...headers } = signed(path, body);
  return headers;
});
const everbridge = over('/everbridge/rest', () => ({ authorization: BASIC }));
const sendgrid = over('/sendgrid', () => ({ authorization: SENDGRID_KEY }));

const server = new ApolloServer({ typeDefs, resolvers });

await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(process.env.PORT) },
  context: async () => {
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
