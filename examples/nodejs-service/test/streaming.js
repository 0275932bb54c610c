// A streaming that tests make up.
'use strict'

const { once } = require('node:events')
const http = require('node:http')

const master = `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=1280x720,CODECS="avc1.64001f,mp4a.40.2"
720p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=640x360
360p/index.m3u8
`
const playlist = '#EXTM3U\n#EXTINF:4.000,\ns1.m4s\n#EXTINF:4.000,\ns2.m4s\n#EXTINF:2.500,\ns3.m4s\n#EXT-X-ENDLIST\n'

/** A server with the title "clock"; answer(path) may return a status of its own, or a promise of one. */
async function streaming (t, answer = () => 200) {
  const server = http.createServer(async (request, response) => {
    const files = { '/v/clock/master.m3u8': master, '/v/clock/720p/index.m3u8': playlist }
    const status = await answer(request.url)
    response.writeHead(status === 200 && !files[request.url] ? 404 : status)
    response.end(files[request.url])
  })
  server.listen(0)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://localhost:${server.address().port}`
}

module.exports = { master, playlist, streaming }
