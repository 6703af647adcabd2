// Names to ids: one DataLoader for each list and request, over lists that are kept for a while.

import DataLoader from 'dataloader';

const TTL = process.env.NAMES === 'cold' ? 0 : 300_000;
const kept = new Map();

function entriesOf(list, fetch) {
  const found = kept.get(list);
  if (found && Date.now() < found.until) return found.entries;
  const entries = fetch().then((pairs) => new Map(pairs));
  if (TTL) kept.set(list, { entries, until: Date.now() + TTL });
  return entries;
}

export class Names {
  loaders = new Map();

  // The id of a name in a list; `fetch` brings pairs of name and id.
  id(list, name, fetch) {
    let loader = this.loaders.get(list);
    if (!loader) {
      loader = new DataLoader(async (names) => {
        const entries = await entriesOf(list, fetch);
        return names.map((one) => entries.get(one) ?? new Error(`${list} has no ${one}`));
      });
      this.loaders.set(list, loader);
    }
    return loader.load(name);
  }
}
