// The files in ../examples are the one place of the example operations: these tabs, the documentation
// and the tests read the same ones. File names give the order; variables stand in the .json beside.
const operations = import.meta.glob('../examples/*.graphql', {
  eager: true,
  import: 'default',
  query: '?raw',
});
const variables = import.meta.glob('../examples/*.variables.json', {
  eager: true,
  import: 'default',
  query: '?raw',
});

export const exampleTabs = Object.keys(operations)
  .sort()
  .map((path) => ({
    query: operations[path],
    variables: variables[path.replace(/\.graphql$/, '.variables.json')] ?? '',
    headers: '',
  }));
