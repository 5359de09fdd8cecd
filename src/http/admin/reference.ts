/** The page that shows an app's routes: OpenAPI Explorer over `/_cffbrw/openapi.json`. It asks nobody else for anything, and may not. */
import { prefix } from './operations.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "connect-src 'self'",
  'img-src data:',
  'font-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');

export const referencePage = (app: string): Response =>
  new Response(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(app)}: reference</title>
<script type="module" src="${prefix}/reference.js"></script>
<style>html, body { margin: 0; height: 100% }</style>
</head>
<body><openapi-explorer spec-url="${prefix}/openapi.json" hide-server-selection></openapi-explorer></body>
</html>
`,
    { headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy } },
  );

export const referenceScript = (text: string): Response =>
  new Response(text, { headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'private, max-age=3600' } });
