import { visible } from './visible.ts'

/** A name as a page writes it: long ones are cut in looks alone, and none turns what stands around it. */
export function Name({ name }: { name: string }) {
  return (
    <bdi class="name" title={visible(name)}>
      {visible(name)}
    </bdi>
  )
}

/** The values of a key. */
export function KeyName({ values }: { values: readonly string[] }) {
  return (
    <>
      {values.map((value, k) => (
        <>
          {k > 0 && <span class="between"> · </span>}
          <Name name={value} />
        </>
      ))}
    </>
  )
}
