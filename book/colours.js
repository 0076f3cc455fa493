// Colours for programs in SNAP. The pages are complete without them.
(function () {
    if (typeof hljs === "undefined") {
        return;
    }
    hljs.registerLanguage("snap", function () {
        return {
            keywords: {
                keyword: "block net alphabet pattern",
                literal: "true false",
            },
            contains: [
                { className: "comment", begin: "#", end: "$" },
                { className: "string", begin: '"', end: '"' },
                { className: "meta", begin: /\?(\{[0-9 .]*\})?/ },
                { className: "number", begin: /\b\d+(\.\d+)?([eE][+-]?\d+)?\b/ },
            ],
        };
    });
    document.querySelectorAll("code.language-snap").forEach(function (block) {
        hljs.highlightBlock(block);
    });
})();
