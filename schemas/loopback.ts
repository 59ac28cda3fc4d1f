/**
 * Whether an address, or a name to listen on, is that of this machine alone: 127.0.0.0/8, ::1 and localhost. Other names may be
 * anything.
 */
export function isLoopback(host: string): boolean {
  const plain = host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  return plain === 'localhost' || plain === '::1' || /^127(\.\d{1,3}){3}$/.test(plain)
}
