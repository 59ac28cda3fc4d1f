import { useEffect, useRef } from 'preact/hooks'
import { KEYS } from './keyboard.ts'

/** Where the second key after `g` leads. */
export const KEYS_GO: { readonly [key: string]: string } = {
  h: '/',
  a: '/analysis',
  l: '/live',
  s: '/system',
}

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
      <h2 id="help-title">Keyboard</h2>
      <dl class="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p>Drag over a chart to zoom in; double click or Esc zooms out.</p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}
