// What is known about titles: fresh, or the last good answer while streaming is away.
'use strict'

const { parseFacts, variantURIs } = require('./playlists')
const { Problem } = require('./problem')

const maxTitles = 1000 // kept in memory

class Facts {
  #read // path, deadline → text of a playlist
  #settings
  #log
  #known = new Map() // title → { facts, at }, the oldest first
  #asking = new Map() // title → promise, so that callers share one question

  constructor (read, settings, log) {
    this.#read = read
    this.#settings = settings
    this.#log = log
  }

  /** The facts of a title, and whether they are stale: old ones are better than none. */
  async of (title) {
    const last = this.#known.get(title)
    if (last && Date.now() - last.at < this.#settings.cacheMs) {
      return { facts: last.facts, stale: false }
    }
    try {
      return { facts: await this.#ask(title), stale: false }
    } catch (error) {
      if (error.status === 404) {
        this.#known.delete(title)
        throw new Problem(404, 'not_found', `there is no title ${title}`)
      }
      this.#log('warn', 'Streaming does not answer', { title, error: error.message })
      if (last) {
        return { facts: last.facts, stale: true }
      }
      throw new Problem(503, 'streaming_unavailable', 'the playlists cannot be read now')
    }
  }

  #ask (title) {
    if (!this.#asking.has(title)) {
      this.#asking.set(title, this.#find(title).finally(() => this.#asking.delete(title)))
    }
    return this.#asking.get(title)
  }

  async #find (title) {
    const deadline = Date.now() + this.#settings.timeoutMs
    const path = `/v/${title}/master.m3u8`
    const master = await this.#read(path, deadline)
    const [variant] = variantURIs(master)
    if (variant === undefined) {
      throw new Error(`${path} names no rendition`)
    }
    const playlist = await this.#read(new URL(variant, `http://streaming${path}`).pathname, deadline)
    const facts = { title, ...parseFacts(master, playlist) }
    this.#known.delete(title)
    this.#known.set(title, { facts, at: Date.now() })
    if (this.#known.size > maxTitles) {
      this.#known.delete(this.#known.keys().next().value)
    }
    return facts
  }
}

module.exports = { Facts }
