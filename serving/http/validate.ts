import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'

type Compiler = typeof TypeBoxValidatorCompiler

/**
 * Checks what a request says against its schema. Parameters are texts: where a number is wanted only digits are one, and not what
 * else might be taken for it, like `true` for 1.
 */
export const validatorCompiler: Compiler = (route) => {
  const check = TypeBoxValidatorCompiler(route)
  if (route.httpPart !== 'querystring') return check
  const { properties = {} } = route.schema as { properties?: { readonly [name: string]: { type?: string } } }
  const numbers = Object.keys(properties).filter((name) => properties[name]!.type === 'integer')
  if (numbers.length === 0) return check
  return (value: { readonly [name: string]: unknown }) => {
    const wrong = numbers.find((name) => value[name] !== undefined && !/^\d{1,15}$/.test(String(value[name])))
    if (wrong === undefined) return check(value)
    const error = {
      keyword: 'type',
      instancePath: `/${wrong}`,
      schemaPath: '',
      params: {},
      message: 'must be a whole number',
    }
    return { error: [error] as never }
  }
}
