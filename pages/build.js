import { fileURLToPath } from 'node:url'

/** Builds the pages into `pages/dist`: `npm ci` does it, and `npm run pages`. */
const root = fileURLToPath(new URL('.', import.meta.url))

const vite = await import('vite').catch(() => null)
if (vite === null)
  console.log('The pages are not built, because vite is not installed: npm ci without --omit=dev brings it.')
else
  await vite.build({
    root,
    configFile: false,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: `${root}/dist`,
      emptyOutDir: true,
      target: 'es2022',
      // Nothing is inlined, so that the content security policy holds.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  })
