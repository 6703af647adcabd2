import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { exampleTabs } from './examples.js';
import { fetcher } from './fetcher.js';
import { storage } from './storage.js';

// GraphiQL 5.4 opens the first default tab without its variables. They are given on a first visit
// only: later they would win over what the visitor has typed.
const isFirstVisit = localStorage.getItem('graphiql:tabState') === null;

createRoot(document.getElementById('explorer')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={exampleTabs}
    initialVariables={isFirstVisit ? exampleTabs[0].variables : undefined}
    // Opened where examples use them; API keys go into "Headers" beside.
    defaultEditorToolsVisibility="variables"
    isHeadersEditorEnabled
    // Keys typed into the headers editor are not kept in the browser.
    shouldPersistHeaders={false}
    storage={storage}
  />,
);
