'use strict'

const assert = require('node:assert/strict')
const test = require('node:test')
const { parseFacts, variantURIs } = require('../app/playlists')
const { master, playlist } = require('./streaming')

test('renditions are those that the master playlist lists', () => {
  assert.deepEqual(variantURIs(master), ['720p/index.m3u8', '360p/index.m3u8'])
  assert.deepEqual(variantURIs(master.replaceAll('\n', '\r\n')), ['720p/index.m3u8', '360p/index.m3u8'])
  assert.deepEqual(variantURIs('#EXTM3U\n'), [])
})

test('facts add up', () => {
  assert.deepEqual(parseFacts(master, playlist), {
    seconds: 10.5,
    renditions: [{ resolution: '1280x720', bitsPerSecond: 2000000 }, { resolution: '640x360', bitsPerSecond: 500000 }]
  })
})
