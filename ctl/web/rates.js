// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Counters become rates here, and rates a short memory for the little curves. A counter that runs
// backwards was started anew: its rate is unknown for one look.

const MEMORY = 60; // looks
const FORGET = 10; // looks without being asked for

export class Rates {
  #counters = new Map();
  #curves = new Map();
  #now = performance.now();
  #look = 0;

  // A new look: all counters asked for until the next one were read together.
  tick() {
    this.#now = performance.now();
    this.#look++;
    for (const map of [this.#counters, this.#curves])
      for (const [key, entry] of map) if (this.#look - entry.look > FORGET) map.delete(key);
  }

  // Per second, of counter `name` of the thing called key; NaN while unknown. Once a look.
  of(key, name, value) {
    const id = `${name} ${key}`;
    const old = this.#counters.get(id);
    const dt = old ? (this.#now - old.now) / 1000 : 0;
    if (old && dt < 0.4) {
      old.look = this.#look;
      return old.rate;
    }
    const rate = old && value >= old.value ? (value - old.value) / dt : NaN;
    this.#counters.set(id, { value, rate, now: this.#now, look: this.#look });
    return rate;
  }

  // The last values of key, oldest first, `value` being the newest.
  curve(key, value) {
    const entry = this.#curves.get(key) ?? { values: [], at: -Infinity };
    if (this.#now - entry.at >= 400) {
      entry.values.push(value);
      entry.at = this.#now;
      if (entry.values.length > MEMORY) entry.values.shift();
    }
    entry.look = this.#look;
    this.#curves.set(key, entry);
    return entry.values;
  }
}
