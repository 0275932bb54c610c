// What HLS playlists (RFC 8216) say about a title.
'use strict'

/** The URIs of the renditions that a master playlist names, in its order. */
function variantURIs (master) {
  const lines = master.split(/\r?\n/)
  return lines.filter((line, i) => line !== '' && !line.startsWith('#') && lines[i - 1]?.startsWith('#EXT-X-STREAM-INF:'))
}

/** The renditions of a master playlist and the length that a playlist of one of them adds up to. */
function parseFacts (master, playlist) {
  const renditions = [...master.matchAll(/^#EXT-X-STREAM-INF:(.*)$/gm)].map(([, attributes]) => ({
    resolution: /(?:^|,)RESOLUTION=(\d+x\d+)/.exec(attributes)?.[1],
    bitsPerSecond: Number(/(?:^|,)BANDWIDTH=(\d+)/.exec(attributes)?.[1])
  }))
  const seconds = [...playlist.matchAll(/^#EXTINF:([\d.]+)/gm)].reduce((sum, [, length]) => sum + Number(length), 0)
  return { seconds: Math.round(seconds * 1000) / 1000, renditions }
}

module.exports = { parseFacts, variantURIs }
