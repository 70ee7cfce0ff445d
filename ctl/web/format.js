// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// Numbers and times as people read them. Whatever is not a number is a dash, never a zero.

const whole = new Intl.NumberFormat("en");

export function count(n) {
  return Number.isFinite(n) ? whole.format(n) : "–";
}

function scaled(n, units, unit) {
  if (!Number.isFinite(n)) return "–";
  let i = 0;
  while (n >= 999.5 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  const digits = i === 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
  const suffix = `${units[i]}${unit}`;
  return suffix.startsWith("/") ? `${n.toFixed(digits)}${suffix}` : `${n.toFixed(digits)} ${suffix}`;
}

export const bitrate = (n) => (n === 0 ? "0" : scaled(n, ["", "k", "M", "G", "T"], "b/s"));
export const perSecond = (n) => (n === 0 ? "0" : scaled(n, ["", "k", "M"], "/s"));

export function percent(ratio) {
  return Number.isFinite(ratio) ? `${(100 * ratio).toFixed(ratio < 0.0995 ? 1 : 0)} %` : "–";
}

export function milliseconds(n) {
  return Number.isFinite(n) ? `${n.toFixed(n < 9.95 ? 1 : 0)} ms` : "–";
}

export function duration(s) {
  if (!Number.isFinite(s) || s < 0) return "–";
  const d = Math.floor(s / 86400);
  const h = Math.floor(s / 3600) % 24;
  const m = Math.floor(s / 60) % 60;
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min ${Math.floor(s % 60)} s` : `${Math.floor(s)} s`;
}

export function clock(time) {
  const d = new Date(time);
  return Number.isNaN(d.getTime()) ? "–" : d.toLocaleTimeString("en-GB");
}
