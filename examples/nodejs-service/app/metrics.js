// The few metrics of the service in Prometheus' text format, under the names that the bundled services use.
'use strict'

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

class Metrics {
  #active = 0
  #requests = new Map() // 'route="…",code="…"' → count
  #seconds = new Map() // 'route="…"' → { sum, count, below: one count for each bucket }
  #dependencies = new Map() // name → 0 or 1

  begin () { this.#active++ }

  end (route, code, seconds) {
    this.#active--
    const labels = `route="${route}",code="${code}"`
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1)
    const timing = this.#seconds.get(route) ?? { sum: 0, count: 0, below: buckets.map(() => 0) }
    timing.sum += seconds
    timing.count++
    buckets.forEach((limit, i) => { timing.below[i] += seconds <= limit ? 1 : 0 })
    this.#seconds.set(route, timing)
  }

  dependencyUp (name, up) { this.#dependencies.set(name, up ? 1 : 0) }

  text () {
    const lines = ['# TYPE http_server_requests_total counter']
    this.#requests.forEach((count, labels) => lines.push(`http_server_requests_total{${labels}} ${count}`))
    lines.push('# TYPE http_server_request_seconds histogram')
    this.#seconds.forEach(({ sum, count, below }, route) => lines.push(
      ...buckets.map((limit, i) => `http_server_request_seconds_bucket{route="${route}",le="${limit}"} ${below[i]}`),
      `http_server_request_seconds_bucket{route="${route}",le="+Inf"} ${count}`,
      `http_server_request_seconds_sum{route="${route}"} ${sum}`, `http_server_request_seconds_count{route="${route}"} ${count}`))
    lines.push('# TYPE http_server_active_requests gauge', `http_server_active_requests ${this.#active}`)
    lines.push('# TYPE dependency_up gauge')
    this.#dependencies.forEach((up, name) => lines.push(`dependency_up{name="${name}"} ${up}`))
    return lines.join('\n') + '\n'
  }
}

module.exports = { Metrics }
