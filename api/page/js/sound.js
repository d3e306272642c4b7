/* A short sound when something of high priority begins to wait; muted or not is remembered. */

const KEY = "vigie.sound";
const TONES_HZ = [880, 660];
const TONE_S = 0.18;
const LOUDNESS = 0.12;

let context = null;

export const isMuted = () => localStorage.getItem(KEY) === "muted";

export function toggleSound() {
  localStorage.setItem(KEY, isMuted() ? "on" : "muted");
  if (!isMuted()) ring();
}

/** Two falling tones; a browser that has not been touched yet stays silent. */
export function ring() {
  if (isMuted() || !navigator.userActivation?.hasBeenActive) return;
  context ??= new AudioContext();
  TONES_HZ.forEach((frequency, i) => tone(frequency, context.currentTime + i * TONE_S));
}

function tone(frequency, at) {
  const [source, gain] = [context.createOscillator(), context.createGain()];
  source.frequency.value = frequency;
  gain.gain.setValueAtTime(LOUDNESS, at);
  gain.gain.exponentialRampToValueAtTime(0.001, at + TONE_S);
  source.connect(gain).connect(context.destination);
  source.start(at);
  source.stop(at + TONE_S);
}
