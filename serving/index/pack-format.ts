/**
 * Numbers of a column in as few bytes as say them exactly, each in as many as the others, so that some can be read without those
 * before. Little-endian:
 *
 *     u8 kind │ the numbers
 *
 *     0          f64
 *     1, 2, 3    u8, u16, u32 of the number
 *     4, 5, 6    the same of a hundred times it; 7, 8, 9: of a thousand times it
 *     252        u32 runs of equal numbers │ the number of each │ the place behind each, both as said here
 *     253        u32 how many come again and again │ those numbers, as said here
 *     254        f64 the first, f64 by how much each is more than the one before
 *     255, u8    the same as the column of that place before
 */
export const RAW = 0
export const RUNS = 252
export const PERIODS = 253
export const STEPS = 254
export const SAME = 255
export const WIDTHS = [1, 2, 4] as const
export const SCALES = [1, 100, 1_000] as const
