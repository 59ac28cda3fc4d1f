/** Waits until something holds, looking every `stepMs`. Throws when a thousand looks were in vain. */
export async function until(holds: () => boolean, stepMs = 2): Promise<void> {
  for (let i = 0; !holds(); i++) {
    if (i === 1_000) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, stepMs))
  }
}
