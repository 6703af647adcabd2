/** Calls to the gateway: plain fetch for queries and mutations, a WebSocket for what it tells by itself. */
import { type Client, type ClientOptions, createClient } from 'graphql-ws';
import type { TypedDocumentString } from './gql/graphql.js';

export interface GatewayOptions {
  /** Where GraphQL is served, such as http://127.0.0.1:8000/graphql. */
  url: string;
  /** An API key or a JWT; `gateway dev` asks for neither. */
  token?: string | undefined;
  /** The class of sockets where the platform has none: browsers and Node 22 have one. */
  webSocket?: ClientOptions['webSocketImpl'];
}

/** The request was wrong, or not allowed: nothing that a user could mend in a form. */
export class GatewayError extends Error {
  constructor(
    readonly errors: readonly { message: string; extensions?: { code?: string } }[],
    readonly status: number,
  ) {
    super(errors.map((error) => error.message).join(' ') || `The gateway answered ${status}`);
    this.name = 'GatewayError';
  }
}

export class Gateway {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #sockets: Client;

  constructor({ url, token, webSocket }: GatewayOptions) {
    this.#url = url;
    this.#headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    this.#sockets = createClient({
      url: url.replace(/^http/, 'ws'),
      // A browser's WebSocket takes no headers, so the token is in the first message.
      connectionParams: this.#headers,
      webSocketImpl: webSocket,
    });
  }

  /** Send a query or a mutation; throws GatewayError for whatever keeps it from being run. */
  async send<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        ...this.#headers,
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json, application/json;q=0.9',
      },
      // JSON.stringify leaves out what is undefined and keeps null: absent and null stay apart.
      body: JSON.stringify({ query: operation.toString(), variables }),
    });
    // A proxy in between may answer with something else than JSON.
    const answer = await response.json().catch(() => ({}));
    if (answer.errors || !answer.data) throw new GatewayError(answer.errors ?? [], response.status);
    return answer.data as Result;
  }

  /** Follow a subscription to its end; leaving the loop ends it on the gateway too. */
  async *follow<Result, Variables extends Record<string, unknown>>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncGenerator<Result> {
    const query = operation.toString();
    for await (const answer of this.#sockets.iterate<Result>({ query, variables })) {
      if (answer.errors || !answer.data) {
        const errors = (answer.errors ?? []).map(({ message }) => ({ message }));
        throw new GatewayError(errors, 200);
      }
      yield answer.data;
    }
  }
}
