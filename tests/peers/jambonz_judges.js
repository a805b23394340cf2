// jambonz's own packages as judges. Reads one JSON object from standard input, answers with one:
//   documents: [verbs, …]            -> documents: ["" or what is wrong, …]; both judges of verbs are asked
//   payloads:  [[schema, payload], …] -> payloads: ["" or what is wrong, …]; schema as in @jambonz/schema/callbacks
//   signatures: [[secret, header or null, body], …] -> signatures: ["" or what is wrong, …]
"use strict";
const fs = require("fs");
const path = require("path");

const quiet = { info() {}, debug() {}, error() {} };
const types = require("@jambonz/verb-specifications");
const schemas = require("@jambonz/schema");
const { WebhookResponse } = require("@jambonz/node-client");

const home = path.dirname(require.resolve("@jambonz/schema"));
const Ajv = require(require.resolve("ajv", { paths: [home] }));

function complaint(judge) {
  try {
    judge();
    return "";
  } catch (error) {
    return String(error.message || error) || "refused";
  }
}

function callbacks() {
  const ajv = new Ajv({ strict: false, validateSchema: false, logger: false, allErrors: true });
  const folder = path.join(home, "callbacks");
  for (const file of fs.readdirSync(folder)) ajv.addSchema(JSON.parse(fs.readFileSync(path.join(folder, file), "utf-8")));
  return ajv;
}

function judge({ documents = [], payloads = [], signatures = [] }) {
  const ajv = callbacks();
  return {
    documents: documents.map((verbs) =>
      [complaint(() => types.validate(quiet, verbs)), complaint(() => schemas.validate(quiet, verbs))]
        .filter(Boolean)
        .join(" | ")
    ),
    payloads: payloads.map(([name, payload]) => {
      const validate = ajv.getSchema(`https://jambonz.org/schema/callbacks/${name}`);
      if (!validate) return `no schema ${name}`;
      return validate(payload) ? "" : ajv.errorsText(validate.errors);
    }),
    signatures: signatures.map(([secret, header, body]) =>
      complaint(() => {
        let passed = false;
        const request = { url: "/", body: Buffer.from(body), get: () => header || undefined };
        WebhookResponse.verifyJambonzSignature(secret)(request, {}, () => (passed = true));
        if (!passed) throw new Error("not passed");
      })
    ),
  };
}

process.stdout.write(JSON.stringify(judge(JSON.parse(fs.readFileSync(0, "utf-8")))));
