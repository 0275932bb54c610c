import { formatDuration, type Asset } from "./assets";

/** What the page is doing; tests and styles read it from the body's data-state. */
export type State = "loading" | "ready" | "playing" | "degraded" | "error";

const labels: Record<State, string> = {
  loading: "Loading",
  ready: "Ready",
  playing: "Playing",
  degraded: "Some parts are resting",
  error: "Not available",
};

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`the page has no element ${id}`);
  }
  return found as T;
}

/** The page's elements, and the only code that changes them. */
export class View {
  readonly video = element<HTMLVideoElement>("player");
  private readonly status = element("status");
  private readonly title = element("title");
  private readonly details = element("details");
  private readonly list = element<HTMLUListElement>("list");
  private readonly note = element("note");
  private readonly curtain = element("curtain");
  private readonly curtainTitle = element("curtain-title");
  private readonly curtainText = element("curtain-text");
  private readonly retryButton = element<HTMLButtonElement>("retry");

  set state(state: State) {
    document.body.dataset["state"] = state;
    this.status.textContent = labels[state];
  }

  get state(): State {
    return document.body.dataset["state"] as State;
  }

  onRetry(action: () => void): void {
    this.retryButton.addEventListener("click", action);
  }

  /** Lists the videos; choosing one calls back. */
  showAssets(assets: Asset[], choose: (asset: Asset) => void): void {
    this.list.replaceChildren(...assets.map((asset) => card(asset, () => choose(asset))));
    this.showNote(assets.length === 0 ? "There are no videos yet. They appear here as soon as there are some." : "");
  }

  showNote(text: string): void {
    this.note.textContent = text;
    this.note.hidden = text === "";
  }

  showCurrent(asset: Asset): void {
    this.title.textContent = asset.title;
    document.title = `${asset.title} · Streamplane`;
    this.showDetails(asset, this.video.videoHeight);
    for (const button of this.list.querySelectorAll("button")) {
      button.setAttribute("aria-current", String(button.dataset["asset"] === asset.id));
    }
  }

  showDetails(asset: Asset, height: number): void {
    this.details.textContent = [formatDuration(asset.durationSeconds), height > 0 ? `${height}p` : ""].filter(Boolean).join("  ·  ");
  }

  /** Covers the player with a message; the rest of the page stays. */
  drawCurtain(title: string, text: string): void {
    this.curtainTitle.textContent = title;
    this.curtainText.textContent = text;
    this.curtain.hidden = false;
  }

  liftCurtain(): void {
    this.curtain.hidden = true;
  }
}

function card(asset: Asset, choose: () => void): HTMLLIElement {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "card";
  button.dataset["asset"] = asset.id;
  button.append(part("thumb", ""), part("name", asset.title), part("length", formatDuration(asset.durationSeconds)));
  button.addEventListener("click", choose);
  item.append(button);
  return item;
}

function part(className: string, text: string): HTMLSpanElement {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}
