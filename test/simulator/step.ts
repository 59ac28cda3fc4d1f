import type { SiteConfig } from './site.ts'

/** One step, as data: what happens, and the seed of everything that is chosen in it. */
export interface Step {
  readonly number: number
  readonly action: string
  readonly seed: number
}

/** A whole simulation, as data: the same plan does the same, step by step. */
export interface Plan {
  readonly seed: number
  readonly world: Omit<SiteConfig, 'seed' | 'indexPath'> & { readonly indexOutlives: boolean }
  readonly steps: readonly Step[]
}
