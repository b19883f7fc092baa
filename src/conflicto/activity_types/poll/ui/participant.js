import { ActivityElement, choices, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  view() {
    const { options = [], multiple = false, max_choices: most = options.length } = this.config;
    const chosen = this.value?.choices ?? [];
    return [
      multiple ? h("p", { class: "muted" }, this.t("several", { n: most })) : null,
      choices({
        legend: this.t("legend"),
        options,
        chosen,
        multiple,
        disabled: !this.isOpen,
        onpick: (id, on) => this.pick(id, on, most),
      }),
    ];
  }

  pick(id, on, most) {
    const others = this.config.multiple ? (this.value?.choices ?? []).filter((each) => each !== id) : [];
    const picked = on ? [...others, id] : others;
    this.updateDraft({ choices: picked.slice(-most) }, picked.length > 0);
  }
}
