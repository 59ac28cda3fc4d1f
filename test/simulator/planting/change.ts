import type { Change } from './bug.ts'
import { bare, fits, isNode, type Node, nodesOf, parseExpression } from './syntax.ts'

/** A piece of the text, and what stands there once the change may be made while the program runs. */
export interface Edit {
  readonly start: number
  readonly end: number
  /** `sound` where the condition does not hold, as it may be changed itself; where it holds, what the change makes of the text. */
  beside(condition: string, sound: string): string
}

/** Every place in a function where the change could be made. */
export function editsOf(change: Change, body: Node, text: string): Edit[] {
  return Array.from(placesOf(change, body)).map(({ start, end }) => {
    if ('drop' in change) return { start, end, beside: (when, sound) => `{ if (!(${when})) ${sound} }` }
    if ('before' in change)
      return { start, end: start, beside: (when) => `{ if (${when}) { ${change.with} } }\n` }
    const changed = change.with.replaceAll('$', () => text.slice(start, end))
    // Where arguments stand there may be several.
    if ('argument' in change)
      return { start, end, beside: (when, sound) => `...(${when} ? [${changed}] : [${sound}])` }
    return { start, end, beside: (when, sound) => `(${when} ? (${changed}) : (${sound}))` }
  })
}

/** The code of a change that says where it is made. */
export function patternOf(change: Change): string {
  const { with: _, ...verb } = { with: '', ...change }
  return Object.values(verb)[0] as string
}

function* placesOf(change: Change, body: Node): Generator<Node> {
  const pattern = parseExpression(patternOf(change))
  const has = (node: unknown) => isNode(node) && Array.from(nodesOf(node)).some((one) => fits(pattern, one))
  for (const node of nodesOf(body)) {
    if ('drop' in change) {
      if (node.type === 'ExpressionStatement' && fits(pattern, done(node.expression as Node))) yield node
    } else if ('replace' in change) {
      if (node === bare(node) && fits(pattern, node)) yield node
    } else if ('argument' in change) {
      if (isCall(node) && fits(pattern, node.callee)) yield (node.arguments as Node[])[0]!
    } else if ('condition' in change) {
      if (has(node.test)) yield node.test as Node
    } else if ('returned' in change) {
      if (node.type === 'ReturnStatement' && has(node.argument)) yield node.argument as Node
    } else if ('value' in change) {
      const value = setTo(pattern, node)
      if (value !== null) yield value
    } else if (Array.isArray(node.body)) {
      for (const statement of node.body) if (has(statement) && !holdsBlock(statement, has)) yield statement
    }
  }
}

function isCall({ type }: Node): boolean {
  return type === 'CallExpression' || type === 'NewExpression'
}

/** What a statement does, whether it waits for it or not. */
function done(expression: Node): Node {
  const { type, operator, argument } = expression
  const isAround = type === 'AwaitExpression' || (type === 'UnaryExpression' && operator === 'void')
  return isAround ? (argument as Node) : expression
}

/** What a declaration, a property or an assignment sets the name to; null when it is about another. */
function setTo(name: Node, node: Node): Node | null {
  if (node.type === 'VariableDeclarator' && fits(name, node.id)) return node.init as Node | null
  if (node.type === 'AssignmentExpression' && fits(name, node.left)) return node.right as Node
  const isProperty = node.type === 'Property' && node.shorthand === false
  return isProperty && fits(name, node.key) ? (node.value as Node) : null
}

/** Whether the place lies in a block of its own within the statement. */
function holdsBlock(statement: Node, has: (node: unknown) => boolean): boolean {
  return Array.from(nodesOf(statement)).some(({ body }) => Array.isArray(body) && body.some(has))
}
