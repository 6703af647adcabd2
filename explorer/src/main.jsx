import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { exampleTabs } from './examples.js';

const fetcher = createGraphiQLFetcher({ url: '/graphql' });

createRoot(document.getElementById('explorer')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={exampleTabs}
    // Opened where examples use them; API keys go into "Headers" beside.
    defaultEditorToolsVisibility="variables"
    isHeadersEditorEnabled
    // Keys typed into the headers editor are not kept in the browser unless the user says so.
    shouldPersistHeaders={false}
  />,
);
