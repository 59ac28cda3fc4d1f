import { parseSync } from 'rolldown/utils'

/** A node of the syntax tree (ESTree), with its place in the text. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** Fields that are no code that runs, or say only how it is written. */
const IGNORED = /^(start|end|raw|optional|decorators|type(Annotation|Arguments|Parameters)|returnType)$/
/** What may stand around an expression and changes nothing of it. */
const WRAPPERS = /^(Parenthesized|Chain|TSNonNull|TSAs|TSSatisfies)Expression$/

/** Parses a file of the sources; throws for one that is no TypeScript. */
export function parse(path: string, text: string): Node {
  const { program, errors } = parseSync(path, text, { lang: 'ts' })
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`)
  return program as unknown as Node
}

export function parseExpression(code: string): Node {
  const [statement] = parse(code, `(${code})`).body as Node[]
  return bare(statement!.expression as Node)
}

/** An expression without what only surrounds it. */
export function bare(node: Node): Node {
  return WRAPPERS.test(node.type) ? bare(node.expression as Node) : node
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** Whether a node is an instance of the pattern; a call may have more arguments than the pattern names. */
export function fits(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern))
    return Array.isArray(value) && pattern.length === value.length && startsWith(pattern, value)
  if (!isNode(pattern) || !isNode(value)) return Object.is(pattern, value)
  const [a, b] = [bare(pattern), bare(value)]
  if (a.type !== b.type) return false
  return Object.keys(a).every((field) => {
    if (IGNORED.test(field)) return true
    if (field === 'arguments') return startsWith(a.arguments as Node[], b.arguments as Node[])
    return fits(a[field], b[field])
  })
}

function startsWith(pattern: readonly unknown[], values: readonly unknown[]): boolean {
  return pattern.every((one, i) => fits(one, values[i]))
}

/** The node and every one below it that is code: no types, no names that are only given. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const [field, value] of Object.entries(node)) {
    if (IGNORED.test(field) || isGiven(node, field)) continue
    for (const one of Array.isArray(value) ? value : [value]) if (isNode(one)) yield* nodesOf(one)
  }
}

/** Whether a field of a node only gives a name: to a member, a variable, a parameter. */
function isGiven(node: Node, field: string): boolean {
  if (field === 'key' || field === 'property') return node.computed !== true
  return field === 'params' || field === 'param' || (field === 'id' && node.type !== 'TSEnumMember')
}

/** The function of this name and those like it: each is a body that may be searched. */
export function functionsOf(program: Node, name: string): Node[] {
  const found: Node[] = []
  const visit = (node: Node, outer: string) => {
    const own = nameOf(node)
    const path = own === null ? outer : `${outer}.${own}`
    if (own !== null && isFunction(node) && path.endsWith(`.${name}`)) found.push(node)
    else
      for (const value of Object.values(node))
        for (const one of Array.isArray(value) ? value : [value]) if (isNode(one)) visit(one, path)
  }
  visit(program, '')
  return found
}

/** The name that a declaration, a class or a member gives to what it holds. */
function nameOf(node: Node): string | null {
  const named = (node.id ?? (node.computed === true ? null : node.key)) as Node | null | undefined
  if (!named || typeof named.name !== 'string') return null
  return named.type === 'PrivateIdentifier' ? `#${named.name}` : named.name
}

function isFunction(node: Node): boolean {
  const held = (node.init ?? node.value ?? node) as Node
  return isNode(held) && /Function/.test(held.type)
}
