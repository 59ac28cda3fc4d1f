/** Work that ends when the test says so. */
export function workshop<T>() {
  const begun: { resolve(value: T): void; reject(error: Error): void }[] = []
  const work = () => new Promise<T>((resolve, reject) => void begun.push({ resolve, reject }))
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  return { begun, work, settled }
}
