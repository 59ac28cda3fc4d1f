import type { Field } from '../delta/port.ts'

export const required = (name: string, type: Field['type']): Field => ({ name, type, nullable: false })
export const optional = (name: string, type: Field['type']): Field => ({ name, type, nullable: true })
