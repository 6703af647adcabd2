// The schema that every peer serves: what the measured mutation needs of the gateway's own.

export const typeDefs = `#graphql
  enum Backend { IVVY EVERBRIDGE SENDGRID }
  input CustomFieldInput { name: String!, values: [String!]! }
  input ContactInput {
    externalId: ID
    email: String
    firstName: String
    lastName: String
    recordTypeName: String
    addGroupsName: [String!]
    customFields: [CustomFieldInput!]
  }
  type Problem { backend: Backend, code: String!, message: String!, field: [String!]! }
  type BackendResult { backend: Backend!, outcome: String!, id: ID, errors: [Problem!]! }
  type UpsertContactPayload { status: String!, results: [BackendResult!]!, errors: [Problem!]! }
  type Query { ready: Boolean! }
  type Mutation {
    upsertContact(input: ContactInput!, targets: [Backend!]): UpsertContactPayload!
  }
`;

export const resolvers = {
  Query: { ready: () => true },
  Mutation: {
    upsertContact: async (_parent, { input, targets }, { backends }) => {
      const results = await Promise.all(
        (targets ?? ['IVVY', 'EVERBRIDGE', 'SENDGRID']).map(async (backend) => {
          try {
            return { backend, errors: [], ...(await backends[backend].upsert(input)) };
          } catch (error) {
            const problem = { backend, code: 'BACKEND_ERROR', message: error.message, field: [] };
            return { backend, outcome: 'FAILED', errors: [problem] };
          }
        }),
      );
      const errors = results.flatMap((result) => result.errors);
      return { status: errors.length ? 'PARTIAL' : 'APPLIED', results, errors };
    },
  },
};
