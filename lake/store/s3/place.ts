/** Where the objects of a store are: `s3://BUCKET/PREFIX` at an endpoint. */
export interface BucketPlace {
  readonly bucket: string
  /** Before every key; empty, or ends with a slash. */
  readonly prefix: string
}

/** Null for what is no such URL. */
export function parseBucketUrl(url: string): BucketPlace | null {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/i.exec(url)
  if (match === null) return null
  const prefix = (match[2] ?? '').replace(/\/$/, '')
  if (prefix !== '' && !isKey(prefix)) return null
  return { bucket: match[1]!, prefix: prefix === '' ? '' : `${prefix}/` }
}

/** Whether every part between slashes is one that neither a URL nor a folder changes. */
export function isKey(key: string): boolean {
  return key.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))
}

/** A key in a URL, as RFC 3986 and the signature have it. */
export function encodeKey(key: string): string {
  return key.split('/').map(encodePart).join('/')
}

export function encodePart(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

export interface Endpoint {
  /** Null: that of AWS in the region. */
  readonly endpoint: string | null
  readonly region: string
  /** The bucket stands in the path and not in the host's name. */
  readonly pathStyle: boolean
}

/** URL of a bucket, without a slash at its end. */
export function bucketUrl({ endpoint, region, pathStyle }: Endpoint, bucket: string): string {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  const path = url.pathname.replace(/\/$/, '')
  return pathStyle
    ? `${url.protocol}//${url.host}${path}/${bucket}`
    : `${url.protocol}//${bucket}.${url.host}${path}`
}
