import "./style.css";
import { fetchAssets, type Asset } from "./assets";
import { Player } from "./player";
import { View } from "./view";

const retryMillis = 5000;

const view = new View();
let current: Asset | null = null;
let position = 0;
let degraded = false;
let timer = 0;

const player = new Player(view.video, {
  ready: () => show("ready"),
  playing: () => show("playing"),
  quality: (height) => current && view.showDetails(current, height),
  failed: (reason) => rest(`The player stopped: ${reason}.`),
});

function show(state: "ready" | "playing"): void {
  view.liftCurtain();
  view.state = degraded ? "degraded" : state;
}

function lookAgainSoon(): void {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void look(), retryMillis);
}

/** Keeps the page useful while videos cannot be had, and looks again by itself. */
function rest(reason: string): void {
  console.warn(reason);
  position = view.video.currentTime || position;
  view.state = "error";
  view.drawCurtain("Videos are resting", "They cannot be reached right now. We keep trying, and they will be back here as soon as they can.");
  lookAgainSoon();
}

function choose(asset: Asset, from = 0): void {
  current = asset;
  position = from;
  view.liftCurtain();
  view.state = "loading";
  view.showCurrent(asset);
  player.play(asset.manifest, from);
}

/** Reads the list. A video that plays goes on; one that stopped is taken up again where it was. */
async function look(): Promise<void> {
  window.clearTimeout(timer);
  try {
    const listing = await fetchAssets();
    degraded = listing.degraded;
    view.showAssets(listing.assets, choose);
    if (degraded) {
      view.showNote("This list may be a little old: the service behind it is resting.");
      lookAgainSoon();
    }
    goOn(listing.assets);
  } catch (error) {
    if (view.state === "loading" || view.state === "error") {
      view.showNote("The list of videos will be back in a moment.");
      rest(String(error));
    } else {
      lookAgainSoon();
    }
  }
}

function goOn(assets: Asset[]): void {
  const same = assets.find((asset) => asset.id === current?.id);
  const next = same ?? assets[0];
  if (!next) {
    view.state = "ready";
    view.drawCurtain("Nothing to play yet", "Videos appear here as soon as there are some.");
    lookAgainSoon();
  } else if (!same || view.state === "error") {
    choose(next, same ? position : 0);
  } else {
    view.showCurrent(next);
    show(view.video.paused ? "ready" : "playing");
  }
}

view.onRetry(() => void look());
void look();
