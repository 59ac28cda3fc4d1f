/** Before the keys of what jobs on other machines write into the store of a lake: no part of any table. */
export const SCRATCH = '_scratch/'
