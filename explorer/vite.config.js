import { defineConfig } from 'vite';

export default defineConfig({
  // Relative addresses, so that the page also works behind a prefix.
  base: './',
  build: {
    // The page allows itself scripts of its own origin only: nothing is inlined, and no polyfill
    // is injected that would ask for more.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    // Monaco is one large piece by nature; the gateway serves it compressed and cached.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      onwarn(warning, report) {
        // "use client" means something to server-side rendering only.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') report(warning);
      },
    },
  },
  worker: { format: 'es' },
  // `npm run dev` shows the page with live reload in front of a running `make dev`.
  server: { proxy: { '/graphql': 'http://127.0.0.1:8000' } },
});
