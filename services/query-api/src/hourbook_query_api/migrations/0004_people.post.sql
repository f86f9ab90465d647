DROP TABLE vault.operator_token;
