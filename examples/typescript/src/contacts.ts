/** What a page for one person does: save a form, say what became of it, show a stored write's progress. */
import type { Gateway } from './gateway.js';
import { graphql } from './gql/gql.js';
import type {
  ContactInput,
  FollowOperationSubscription,
  SaveContactMutation,
} from './gql/graphql.js';

const SaveContact = graphql(`
  mutation SaveContact($input: ContactInput!, $delivery: Delivery!, $key: String) {
    upsertContact(input: $input, delivery: $delivery, idempotencyKey: $key) {
      status
      replayed
      results {
        backend
        outcome
        changedFields
        ignoredFields
        errors {
          message
          retryable
        }
      }
      errors {
        code
        message
        field
        suggestions
      }
      operation {
        id
      }
    }
  }
`);

const FollowOperation = graphql(`
  subscription FollowOperation($id: ID!) {
    operation(id: $id) {
      status
      items {
        edges {
          node {
            steps {
              backend
              result {
                outcome
              }
            }
          }
        }
      }
    }
  }
`);

export type Saved = NonNullable<SaveContactMutation['upsertContact']>;
export type Result = Saved['results'][number];
export type Progress = FollowOperationSubscription['operation'];

/** What the form shows; an empty text is a field without a value. */
export type Form = Record<'email' | 'firstName' | 'lastName' | 'phone', string>;

/**
 * The input of what a user has changed: an untouched field is left out and stays as it is in every
 * backend, an emptied one is null and is cleared, any other is set.
 */
export function changes(shown: Form, edited: Form): Partial<ContactInput> {
  const fields = Object.keys(shown) as (keyof Form)[];
  return Object.fromEntries(
    fields
      .filter((field) => shown[field] !== edited[field])
      .map((field) => [field, edited[field] === '' ? null : edited[field]]),
  );
}

export interface SaveOptions {
  /** Stored and delivered later instead of written while the user waits. */
  durable?: boolean;
  /** One for each press of the button, the same for its repetitions: then nothing is written twice. */
  key?: string;
}

/** Write a contact to every backend that the gateway has. */
export async function save(
  gateway: Gateway,
  input: ContactInput,
  { durable = false, key = crypto.randomUUID() }: SaveOptions = {},
): Promise<Saved> {
  const delivery = durable ? 'DURABLE' : 'DIRECT';
  const { upsertContact } = await gateway.send(SaveContact, { input, delivery, key });
  if (!upsertContact) throw new Error('The gateway answered without a payload');
  return upsertContact;
}

/** A stored write, now and at each change until it has ended. */
export async function* progress(gateway: Gateway, id: string): AsyncGenerator<Progress> {
  for await (const { operation } of gateway.follow(FollowOperation, { id })) yield operation;
}

/** What a user is told of one backend. A new outcome in the schema keeps this from compiling. */
export function told(result: Result): string {
  const { backend, outcome } = result;
  const why = result.errors.map((error) => ` ${error.message}`).join('');
  switch (outcome) {
    case 'CREATED':
      return `${backend}: new`;
    case 'UPDATED':
      return `${backend}: changed ${result.changedFields.join(', ')}`;
    case 'UNCHANGED':
      return `${backend}: was so already`;
    case 'CONFIRMED':
      return `${backend}: written`;
    case 'ACCEPTED':
      return `${backend}: accepted, shows within minutes`;
    case 'QUEUED':
      return `${backend}: stored, is delivered soon`;
    case 'PLANNED':
      return `${backend}: would be written`;
    case 'PARTIAL':
      return `${backend}: written in part.${why}`;
    case 'REJECTED':
      return `${backend}: refused.${why}`;
    case 'SKIPPED':
      return `${backend}: not tried`;
    case 'FAILED':
      return `${backend}: not written, try again.${why}`;
    case 'UNKNOWN':
      return `${backend}: perhaps written, look before you try again.${why}`;
    default:
      return outcome satisfies never;
  }
}
