import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-sse';

const url = './graphql';
const overHttp = createGraphiQLFetcher({ url });

// Queries and mutations go by plain HTTP, subscriptions as server-sent events: those take the headers
// editor's keys as any request does, and the page's policy needs no further address for them.
export function fetcher(request, options) {
  const operation = operationOf(request);
  if (!operation) return overHttp(request, options);
  const named = { ...request, operationName: operation.name?.value };
  if (operation.operation !== 'subscription') return overHttp(named, options);
  // Not retried: what keeps a subscription from starting is shown at once.
  const headers = options?.headers;
  return createClient({ url, headers, fetchFn: fetchStream, retryAttempts: 0 }).iterate(named);
}

// For a moment after a tab was opened, GraphiQL still gives the name of the operation in the last one.
function operationOf({ query, operationName }) {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document);
  } catch {
    return null; // the gateway says what is wrong with the text
  }
}

// A refusal (no key, too many requests) comes as JSON: shown as it is, like that of a query.
async function fetchStream(address, init) {
  const response = await fetch(address, init);
  const isJson = response.headers.get('content-type')?.includes('json');
  if (response.ok || !isJson) return response;
  const answer = await response.text();
  const events = `event: next\ndata: ${answer.replaceAll('\n', '')}\n\nevent: complete\ndata:\n\n`;
  return new Response(events, { headers: { 'content-type': 'text/event-stream' } });
}
