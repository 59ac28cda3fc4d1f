import { escapeHtml } from '../html.ts'

/** The part of /openapi.json that its page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
}

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Contents }
  readonly responses: { readonly [status: string]: { readonly content?: Contents } }
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}

type Contents = { readonly [type: string]: { readonly schema: Schema } }

interface Schema {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: { readonly [name: string]: Schema }
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly patternProperties?: { readonly [pattern: string]: Schema }
  readonly minimum?: number
  readonly maximum?: number
}

/** The document as a page for people: every path with its parameters and answers. It loads one style sheet and nothing else. */
export function docsPage({ info, paths }: ApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const idOf = (path: string, method: string) => `${method}${path}`.replaceAll(/[^\w]+/g, '-').toLowerCase()
  const links = operations.map(
    ({ path, method }) =>
      `<li><a href="#${idOf(path, method)}"><b>${method}</b> ${escapeHtml(path)}</a></li>`,
  )
  const sections = operations.map(({ path, method, operation }) => {
    const { summary = '', description, parameters = [], requestBody, responses } = operation
    return `<section id="${idOf(path, method)}"><h2><span class="method">${method}</span> ${escapeHtml(path)}</h2>
<p>${escapeHtml(summary)}</p>${description === undefined ? '' : `<p>${escapeHtml(description)}</p>`}
${parameters.length === 0 ? '' : parametersTable(parameters)}
${requestBody === undefined ? '' : `<h3>Body${requestBody.required === false ? ', may be left out' : ''}</h3>${contentsList(requestBody.content)}`}
<h3>Answers</h3>${Object.entries(responses)
      .map(
        ([status, { content = {} }]) =>
          `<details><summary>${escapeHtml(status)}</summary>${contentsList(content)}</details>`,
      )
      .join('')}</section>`
  })
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)} API</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/docs.css"></head>
<body><header><a href="/">${escapeHtml(info.title)}</a> <a href="/openapi.json">openapi.json</a></header>
<nav aria-label="Paths"><ul>${links.join('')}</ul></nav>
<main><h1>${escapeHtml(info.title)} API ${escapeHtml(info.version)}</h1>
${sections.join('\n')}</main></body></html>
`
}

function parametersTable(parameters: readonly Parameter[]): string {
  const rows = parameters.map(({ name, in: place, required, description, schema }) => {
    const said = description ?? schema.description ?? ''
    return `<tr><th scope="row"><code>${escapeHtml(name)}</code></th><td>${escapeHtml(place)}${required ? ', required' : ''}</td><td>${typeOf(schema)}</td><td>${escapeHtml(said)}</td></tr>`
  })
  return `<h3>Parameters</h3><div class="scroll" tabindex="0" role="region" aria-label="Parameters"><table><thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Values</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

/** Values that are listed of those that a parameter may have; a list of columns has hundreds. */
const VALUES_MAX = 12

function typeOf({ type = 'any', enum: values, minimum, maximum }: Schema): string {
  if (values === undefined) {
    const range = minimum === undefined ? '' : `, ${minimum} to ${maximum ?? '…'}`
    return escapeHtml(`${type}${range}`)
  }
  const shown = values.slice(0, VALUES_MAX).map((value) => `<code>${escapeHtml(String(value))}</code>`)
  if (values.length <= VALUES_MAX) return shown.join(' ')
  const rest = values.slice(VALUES_MAX).map((value) => `<code>${escapeHtml(String(value))}</code>`)
  return `${shown.join(' ')} <details><summary>and ${rest.length} more</summary>${rest.join(' ')}</details>`
}

function contentsList(contents: Contents): string {
  return Object.entries(contents)
    .map(
      ([type, { schema }]) =>
        `<h4>${escapeHtml(type)}</h4><pre tabindex="0">${escapeHtml(shapeOf(schema, ''))}</pre>`,
    )
    .join('')
}

/** A schema as a person would write an example of it down. */
function shapeOf(schema: Schema, indent: string): string {
  const deeper = `${indent}  `
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => shapeOf(one, indent)).join(' | ')
  if (schema.type === 'array') return `[${shapeOf(schema.items ?? {}, indent)}, …]`
  if (schema.type !== 'object') return `${schema.type ?? 'any'}${noteOf(schema)}`
  const { properties = {}, required = [], patternProperties = {} } = schema
  const lines = Object.entries(properties).map(
    ([name, one]) => `${deeper}"${name}"${required.includes(name) ? '' : '?'}: ${shapeOf(one, deeper)}`,
  )
  const others = Object.values(patternProperties)[0] ?? schema.additionalProperties
  if (typeof others === 'object') lines.push(`${deeper}"…": ${shapeOf(others, deeper)}`)
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`
}

function noteOf({ enum: values, description }: Schema): string {
  const notes = [
    ...(values === undefined ? [] : [values.join(', ')]),
    ...(description === undefined ? [] : [description]),
  ]
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`
}
