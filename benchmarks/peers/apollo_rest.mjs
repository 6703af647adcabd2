// Apollo Server 5 with @apollo/datasource-rest and DataLoader, as Apollo's documentation has it.

import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { RESTDataSource } from '@apollo/datasource-rest';
import { BASIC, Everbridge, Ivvy, SENDGRID_KEY, SendGrid, signed } from './backends.mjs';
import { Names } from './names.mjs';
import { resolvers, typeDefs } from './schema.mjs';

const { UPSTREAM } = process.env;

class Source extends RESTDataSource {
  send(method, path, body) {
    if (method === 'GET') return this.get(path);
    return method === 'PUT' ? this.put(path, { body }) : this.post(path, { body });
  }
}

class IvvySource extends Source {
  baseURL = `${UPSTREAM}/ivvy/`;

  willSendRequest(path, request) {
    request.body = JSON.stringify(request.body);
    Object.assign(request.headers, signed(`/${path}`, request.body));
  }
}

class EverbridgeSource extends Source {
  baseURL = `${UPSTREAM}/everbridge/rest/`;

  willSendRequest(_path, request) {
    request.headers.authorization = BASIC;
  }
}

class SendGridSource extends Source {
  baseURL = `${UPSTREAM}/sendgrid/`;

  willSendRequest(_path, request) {
    request.headers.authorization = SENDGRID_KEY;
  }
}

const over = (source) => (method, path, body) => source.send(method, path.slice(1), body);
const server = new ApolloServer({ typeDefs, resolvers });

await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(process.env.PORT) },
  context: async () => {
    const { cache } = server;
    const names = new Names();
    return {
      backends: {
        IVVY: new Ivvy(over(new IvvySource({ cache })), names),
        EVERBRIDGE: new Everbridge(over(new EverbridgeSource({ cache })), names),
        SENDGRID: new SendGrid(over(new SendGridSource({ cache })), names),
      },
    };
  },
});
