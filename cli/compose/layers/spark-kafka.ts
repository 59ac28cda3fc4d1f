import type { Settings } from '../../settings/settings.ts'

/**
 * How Spark's Kafka source speaks to the brokers, as options of its Java client. The CA is a path, the same on every executor.
 * Holds the password: not for a command line.
 */
export function brokerOptions(settings: Settings): { readonly [option: string]: string } {
  const ca = settings.file('log.ca')
  const isTls = ca !== null || settings.boolean('log.tls')
  const username = settings.text('log.sasl_username')
  const isSasl = username !== ''
  if (!isTls && !isSasl) return {}
  const mechanism = settings.text('log.sasl_mechanism').toUpperCase()
  return {
    'kafka.security.protocol': `${isSasl ? 'SASL_' : ''}${isTls ? 'SSL' : 'PLAINTEXT'}`,
    ...(ca !== null && { 'kafka.ssl.truststore.type': 'PEM', 'kafka.ssl.truststore.location': ca }),
    ...(isSasl && {
      'kafka.sasl.mechanism': mechanism,
      'kafka.sasl.jaas.config': loginOf(mechanism, username, settings.text('log.sasl_password')),
    }),
  }
}

function loginOf(mechanism: string, username: string, password: string): string {
  const module = mechanism === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule'
  return `org.apache.kafka.common.security.${module} required username=${quoted(username)} password=${quoted(password)};`
}

/** As Java's StreamTokenizer reads what stands in quotes: it ends at a line's end, and knows the escapes of C. */
function quoted(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  return `"${escaped}"`
}
