// What GraphiQL keeps in the browser, without the headers editor's keys: GraphiQL 5.4 writes them into
// its history and favourites whatever shouldPersistHeaders says.
const operationLists = ['graphiql:queries', 'graphiql:favorites'];

export const storage = {
  getItem: (name) => localStorage.getItem(name),
  setItem: (name, value) =>
    localStorage.setItem(name, operationLists.includes(name) ? withoutHeaders(value) : value),
  removeItem: (name) => localStorage.removeItem(name),
  clear: () => ownNames().forEach((name) => localStorage.removeItem(name)),
  get length() {
    return ownNames().length;
  },
};

// Those that an earlier version has kept. What is no JSON is of no use to GraphiQL either.
for (const name of operationLists) {
  const kept = localStorage.getItem(name);
  try {
    if (kept) storage.setItem(name, kept);
  } catch {
    storage.removeItem(name);
  }
}

function ownNames() {
  return Object.keys(localStorage).filter((name) => name.startsWith('graphiql:'));
}

function withoutHeaders(lists) {
  return JSON.stringify(JSON.parse(lists), (key, value) => (key === 'headers' ? undefined : value));
}
