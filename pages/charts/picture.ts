/** Saves a chart as a PNG with its title, as it is on the page. */
export function savePicture(figure: HTMLElement, title: string, name: string): void {
  const chart = figure.querySelector('canvas')
  if (chart === null) return
  const style = getComputedStyle(document.documentElement)
  const ratio = window.devicePixelRatio || 1
  const head = 36 * ratio
  const picture = document.createElement('canvas')
  picture.width = chart.width
  picture.height = chart.height + head
  const pen = picture.getContext('2d')!
  pen.fillStyle = style.getPropertyValue('--raised')
  pen.fillRect(0, 0, picture.width, picture.height)
  pen.fillStyle = style.getPropertyValue('--ink')
  pen.font = `600 ${14 * ratio}px system-ui, sans-serif`
  pen.fillText(title, 12 * ratio, 24 * ratio)
  pen.drawImage(chart, 0, head)
  picture.toBlob((blob) => {
    if (blob === null) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 100)}.png`
    link.click()
    URL.revokeObjectURL(link.href)
  })
}
